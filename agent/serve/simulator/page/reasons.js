// Why the router and the lens did what they did, in Chinese. The agent gives its reasons in English,
// for people who debug; one that is not here stays as it is.

import { language } from "./words.js";

const ZH = [
  // the router
  ["no sentence matches", "没有匹配的句子"],
  ["a sentence matches", "与句子相符"],
  ["a sentence matches, with words of its own", "与句子相符，含自由词语"],
  [/^a sentence begins so, without (.+)$/, "句子只说了开头，缺 $1"],
  [/^sounds like (.+)$/, "听起来像“$1”"],
  ["asks for the time", "问的是时间"],
  ["nothing was said", "什么也没说"],
  ["text from the world, which the wearer did not say", "来自外界的文字，并非佩戴者所说"],
  [/^longer than (\d+) characters$/, "超过 $1 个字符"],
  ["a payment in look-alike or invisible letters", "付款中有形近或不可见的字符"],
  ["the agent's own word", "助手自己的指令"],
  [/^accepted from ([\d.]+)$/, "达到 $1 即接受"],
  [/^absent: (.+)$/, "不可用：$1"],
  ["two skills are as likely", "两个技能同样可能"],
  ["too unlike what the skills can do", "与技能所能做的相差太远"],
  ["like a payment, but no sentence foresaw it", "像是付款，但不是已知的说法"],
  ["one word of what a new skill understands", "只是新技能的一个词"],
  ["like what a new skill changes things by", "像是新技能会作出更改的说法"],
  ["nothing to choose among", "没有可选的动作"],
  [/^(.+) chose none$/, "$1 认为都不是"],
  [/^(.+) made up the words for (.+)$/, "$1 编造了 $2 的内容"],
  // the dialogue
  ["the skill was removed meanwhile", "技能已在此期间卸载"],
  ["speaks of it, and does not order it", "只是提到，并没有要求"],
  ["taken back as soon as it was said", "话音未落就收回了"],
  ["says only what is not to be done", "只说了不要做什么"],
  ["forbids it, or only speaks of it", "是禁止，或只是提到"],
  ["corrected within", "话中自行更正"], ["words that point back", "指代前文的词语"],
  ["several commands, not all of them at once", "有几条指令，不能同时执行"],
  ["heard too unclearly for a payment", "听得不够清楚，不能付款"],
  ["two commands", "两条指令"],
  ["a part of it", "其中一部分"],
  ["answer", "对提问的回答"], ["correction", "更正"], ["more of the same", "接着上一件事"],
  // the lens
  ["a newer answer", "有了更新的回答"],
  [/^(\d+) of its own wait$/, "它自己已有 $1 条在等"],
  [/^(\d+) others wait$/, "另有 $1 个在等"],
  [/^(\d+) alerts in ([\d.]+) s$/, "$2 秒内已有 $1 条提醒"],
  [/^waited ([\d.]+) s$/, "等了 $1 秒"],
  [/^(.+) is gone$/, "$1 已卸载"],
  ["dropped", "已撤下"],
  ["cleared", "已清除"],
  ["no longer open", "问题已不再等待回答"],
  ["the wearer went on", "佩戴者已说下一件事"],
  ["the agent ended", "助手已结束"],
  // outcomes, and the levels of the lens
  ["shown", "已显示"], ["queued", "排队中"], ["replaced", "被替换"], ["expired", "已过期"],
  ["refused", "被拒绝"],
  ["alert", "提醒"], ["proposal", "提议"], ["foreground", "前台"], ["background", "后台"],
  ["dashboard", "主页"],
  // the stages
  ["templates", "模板"], ["words", "词语"], ["meaning", "语义"], ["pocket", "口袋模型"],
  ["semantic", "综合"], ["dialogue", "对话"],
];

/** A reason, an outcome, a level or a stage in the language of the page. */
export function why(english) {
  if (language !== "zh") return english;
  for (const [what, chinese] of ZH) {
    if (what === english) return chinese;
    if (what instanceof RegExp && what.test(english)) return english.replace(what, chinese);
  }
  return english;
}
