// What the page says, in English and Chinese. The lens speaks for itself: the agent does that.

export const WORDS = {
  en: {
    skip: "Skip to the command line",
    stage: "View through the glasses",
    rows: "On the lens",
    dock: "Speak or type",
    body: "Body and surroundings",
    inspector: "What happened",
    world: "World", day: "Street, day", dusk: "Street, dusk", night: "Street, night",
    webcam: "Webcam", photo: "A photo…",
    profile: "Glasses", spoken: "Spoken", auto: "Either",
    hold: "Hold to talk", line: "Say something", placeholder: "Type what you would say",
    options: "What can follow", send: "Send", open_mic: "Open mic", level: "Microphone level",
    chips: "Try one of these",
    head: "Head", nod: "Nod", shake: "Shake", glance: "Look up", walk: "Walk",
    touch: "Touch", tap: "Tap", double_tap: "Double tap",
    around: "Around", light: "Light", temperature: "Frame",
    position: "My position",
    power: "Power", link: "Link", cell: "Cell", take_out: "Take out", put_in: "Put in", out: "out",
    charge: "Charge of cell",
    turns: "Turns", outcomes: "Lens log", skills: "Can say", session: "Session",
    no_turns: "Nothing was said yet. Hold the space bar and talk, or type below.",
    no_outcomes: "Everything that wants to be on the lens is listed here, with what became of it.",
    you: "you", typed: "typed", gestured: "gesture", nothing: "nothing was understood",
    stage_endpoint: "sure you had finished", stage_transcript: "recognised",
    stage_intent: "understood", stage_reply: "worked out", stage_first_glyph: "on the lens",
    waterfall: "From the last syllable, in ms", router: "How it was understood",
    verdict_none: "none", replaced: "went on", replayed: "replayed", after: "after the last syllable",
    card: "Answer", slots: "Slots", ms: "ms", page: "Page",
    record_title: "Record", record_text:
      "Writes down what is said and answered, as sound and text, in the clear. It stays with you.",
    record: "Record", stop_record: "Stop recording", download: "Save session.jsonl",
    replay_title: "Replay", replay_text:
      "Gives a recorded session to fresh glasses again and says what is answered otherwise now.",
    choose_session: "Choose a session…", end_replay: "End the replay",
    same: "Answered as recorded.", differs: "Answered otherwise:", stopped: "The replay was ended.",
    aloud_title: "Speak a file", aloud_text:
      "Any sound file is played into the microphone. You can also drop it here.",
    choose_sound: "Choose a sound…",
    share_title: "The same glasses elsewhere", share_text:
      "Open this on a phone or another screen. The page that comes last wears the glasses; the"
      + " others watch.",
    copy: "Copy", copied: "Copied.",
    about_title: "These glasses",
    engine: "Hears with", model: "Language model", lens: "Lens", stream: "Sound",
    stream_text: (h) => `${h.chunks} chunks heard, ${h.dropped} dropped, ${h.missing} lost`,
    lens_text: (p) => `${p.width_px} × ${p.height_px}, ${p.grey_levels} greys, `
      + `${p.columns} × ${p.lines} cells`,
    problems: "Not loaded",
    help: "Keys", help_text:
      "Everything here can be done without a mouse. Keys work while you are not typing.",
    shortcuts: "Use single-key shortcuts", close: "Close",
    key_space: "Hold to talk", key_slash: "To the command line", key_escape: "Leave it",
    key_m: "Open or close the microphone", key_n: "Nod, yes", key_s: "Shake, no",
    key_g: "Look up, and down again", key_w: "Walk, and stop", key_t: "Tap",
    key_d: "Double tap", key_h: "These keys", key_arrows: "Between tabs, options and turns",
    watching: "These glasses are worn on another page. You are watching.", wear: "Wear them here",
    connecting: "Connecting…", waking: "Waking the glasses…", lost_server:
      "The simulator is gone. Is it still running?", off: "No power", ready: "Ready",
    link_lost: "Link lost", recording: "Recording", replaying: "Replaying",
    note_off: "The glasses have no power: put a cell in.",
    note_busy: "One thing after the other, please.",
    note_watching: "You are watching: press “Wear them here” first.",
    note_replaying: "A replay is going on.",
    note_deaf: "The microphone is of no use", note_broken: "That did not work",
    note_insecure: "Browsers give a microphone and a camera only to localhost or over https. Typing"
      + " and sound files work.",
    note_no_mic: "There is no microphone, or it may not be used. Typing works, and so do the"
      + " spoken examples.",
    note_no_camera: "There is no camera, or it may not be used.",
    note_bad_sound: "This file holds no sound that the browser can read.",
    note_bad_photo: "This file is no picture that the browser can read.",
    note_other: "This page is of another version, or was refused: reload it.",
    note_full: "All glasses are worn.",
    other_language: "中文", lux: "lx",
  },
  zh: {
    skip: "跳到命令行",
    stage: "透过眼镜看",
    rows: "镜片上",
    dock: "说话或打字",
    body: "身体与环境",
    inspector: "发生了什么",
    world: "场景", day: "街道 · 白天", dusk: "街道 · 黄昏", night: "街道 · 夜晚",
    webcam: "摄像头", photo: "一张照片…",
    profile: "眼镜", spoken: "语言", auto: "自动",
    hold: "按住说话", line: "说点什么", placeholder: "输入您想说的话",
    options: "接下来可以说", send: "发送", open_mic: "麦克风常开", level: "麦克风音量",
    chips: "试试这些",
    head: "头部", nod: "点头", shake: "摇头", glance: "抬头", walk: "行走",
    touch: "触摸", tap: "轻点", double_tap: "双击",
    around: "环境", light: "光线", temperature: "镜架",
    position: "我的位置",
    power: "电源", link: "连接", cell: "电池", take_out: "取出", put_in: "装入", out: "已取出",
    charge: "电量，电池",
    turns: "对话", outcomes: "镜片日志", skills: "可以说", session: "会话",
    no_turns: "还没有对话。按住空格键说话，或在下方输入。",
    no_outcomes: "所有想显示在镜片上的内容及其结果都列在这里。",
    you: "您", typed: "键入", gestured: "手势", nothing: "没有听懂",
    stage_endpoint: "确定您说完了", stage_transcript: "已识别",
    stage_intent: "已理解", stage_reply: "已得出", stage_first_glyph: "已显示",
    waterfall: "从最后一个音节算起，毫秒", router: "如何理解",
    verdict_none: "无", replaced: "接着说", replayed: "重放", after: "（最后一个音节之后）",
    card: "回答", slots: "参数", ms: "毫秒", page: "页",
    record_title: "录制", record_text: "以声音和文字明文记录所说与所答。文件只留在您这里。",
    record: "开始录制", stop_record: "停止录制", download: "保存 session.jsonl",
    replay_title: "重放", replay_text: "把录下的会话重新交给一副新眼镜，并指出现在回答有何不同。",
    choose_session: "选择会话文件…", end_replay: "结束重放",
    same: "回答与录制时一致。", differs: "回答有所不同：", stopped: "重放已结束。",
    aloud_title: "播放声音文件", aloud_text: "任何声音文件都可以送进麦克风，也可以拖放到这里。",
    choose_sound: "选择声音…",
    share_title: "在别处打开同一副眼镜", share_text:
      "在手机或另一块屏幕上打开。最后打开的页面戴着眼镜，其他页面旁观。",
    copy: "复制", copied: "已复制。",
    about_title: "这副眼镜",
    engine: "语音识别", model: "语言模型", lens: "镜片", stream: "声音",
    stream_text: (h) => `听到 ${h.chunks} 块，丢弃 ${h.dropped} 块，缺失 ${h.missing} 块`,
    lens_text: (p) => `${p.width_px} × ${p.height_px}，${p.grey_levels} 级灰度，`
      + `${p.columns} × ${p.lines} 格`,
    problems: "未加载",
    help: "按键", help_text: "这里的一切都可以不用鼠标完成。不在输入时按键生效。",
    shortcuts: "使用单键快捷键", close: "关闭",
    key_space: "按住说话", key_slash: "到命令行", key_escape: "离开命令行",
    key_m: "打开或关闭麦克风", key_n: "点头，是", key_s: "摇头，否",
    key_g: "抬头，再低头", key_w: "行走，停下", key_t: "轻点",
    key_d: "双击", key_h: "这些按键", key_arrows: "在标签、选项和对话之间移动",
    watching: "这副眼镜正戴在另一个页面上，您在旁观。", wear: "在这里戴上",
    connecting: "正在连接…", waking: "正在唤醒眼镜…", lost_server: "模拟器不在了。它还在运行吗？",
    off: "没有电", ready: "就绪",
    link_lost: "连接断开", recording: "正在录制", replaying: "正在重放",
    note_off: "眼镜没有电：请装入电池。",
    note_busy: "请一件一件来。",
    note_watching: "您在旁观：请先点“在这里戴上”。",
    note_replaying: "正在重放。",
    note_deaf: "麦克风用不了", note_broken: "没有成功",
    note_insecure: "浏览器只在 localhost 或 https 下提供麦克风和摄像头。打字和声音文件仍可使用。",
    note_no_mic: "没有麦克风，或不允许使用。可以打字，也可以用语音示例。",
    note_no_camera: "没有摄像头，或不允许使用。",
    note_bad_sound: "浏览器读不出这个文件里的声音。",
    note_bad_photo: "浏览器读不出这张图片。",
    note_other: "页面版本不符或被拒绝：请重新加载。",
    note_full: "所有眼镜都有人戴着。",
    other_language: "English", lux: "lx",
  },
};

const STORE = "glasses-ui-language";
const preferred = () => ((navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en");

/** The language of the page, `en` or `zh`. */
export let language = stored() ?? preferred();

/** One text of the page. */
export const t = (key) => WORDS[language][key] ?? WORDS.en[key] ?? key;

/** Switch the page to the other language, and remember it. */
export function switchLanguage() {
  language = language === "en" ? "zh" : "en";
  try { localStorage.setItem(STORE, language); } catch { /* private windows may refuse */ }
  translate();
}

/** Put the texts in their places; whoever draws texts later listens for `translated`. */
export function translate() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const place of document.querySelectorAll("[data-t]")) {
    place.textContent = t(place.dataset.t);
  }
  for (const place of document.querySelectorAll("[data-t-label]")) {
    place.setAttribute("aria-label", t(place.dataset.tLabel));
    if (place.tagName === "BUTTON") place.title = t(place.dataset.tLabel);
  }
  for (const place of document.querySelectorAll("[data-t-placeholder]")) {
    place.placeholder = t(place.dataset.tPlaceholder);
  }
  document.dispatchEvent(new Event("translated"));
}

function stored() {
  try {
    const found = localStorage.getItem(STORE);
    return found in WORDS ? found : null;
  } catch {
    return null;
  }
}
