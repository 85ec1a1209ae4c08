"""Courtesies: what people say to whoever listens, and which asks for nothing.

No skill means them and no model need be asked: a greeting is greeted, thanks are welcome, and a yes
or a no that answers nothing is told so.
"""

from __future__ import annotations

import re
from typing import Literal

from agent.language.text import clean, unaddressed

Courtesy = Literal["hello", "bye", "thanks", "well", "self", "praise", "blame", "yes", "no"]
"""What is said; the answer stands under the same name in `said`."""

_TO = r"(?:,? (?:there|you|glasses|again|everyone|my friend|buddy|dear|man|assistant))*"
_END = r"[啊呀哦喔啦哈呢吧嘛了的]*"

_SAID: dict[Courtesy, str] = {
    "hello": rf"(?:hi+|hey+|hello+|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|day)"
    rf"|what's up|sup|are you there|anybody there|can you hear me|do you hear me){_TO}"
    rf"|(?:你|您|大家)好{_END}|哈[喽啰罗]{_END}|嗨{_END}|喂+|早{_END}|(?:早上|上午|中午|下午"
    rf"|晚上)好{_END}"
    rf"|早安|在吗|在不在|[你您]在吗|听得[到见]吗|能听[到见](?:我(?:说话)?)?吗",
    "bye": rf"(?:good ?bye|bye(?: bye)?|see (?:you|ya)(?: later| soon| tomorrow)?|good ?night"
    rf"|farewell|talk to you later|later){_TO}|再见{_END}|拜拜{_END}|回头见|明天见|晚安{_END}"
    rf"|下次见",
    "thanks": r"(?:ok(?:ay)? |great |perfect |cool |oh )*(?:many )?(?:thanks|thank you|thank u|ty"
    r"|thx|cheers|much appreciated|i appreciate it|ta)(?: (?:you|so much|very much|a lot"
    r"|a million|a bunch|again|for (?:that|your help|the help|everything)|glasses|buddy|man))*"
    rf"|(?:好的?|行|太好了)?[,， ]*(?:太|非常|十分)?(?:谢谢|多谢|感谢|谢了|谢啦|辛苦|麻烦|唔该"
    rf"|多谢晒)"
    rf"(?:[你您]|大家)?{_END}",
    "well": r"how (?:are|r) (?:you|u|ya)(?: doing| today| feeling| doing today)?|how(?:'s"
    r"| is) it going"
    r"|how do you do|are you (?:ok|okay|alright|all right)|you (?:ok|okay)"
    rf"|[你您](?:今天)?(?:还好|好|怎么样|过得(?:好|怎么样))吗?{_END}|最近(?:怎么样|好吗"
    rf"|如何){_END}",
    "self": r"(?:who|what)(?: exactly| the hell)? are you(?: exactly)?|what(?:'s| is) your name"
    r"|(?:tell me|say something) about yourself|introduce yourself|do you have a name"
    r"|are you (?:an? )?(?:ai|robot|bot|human|person|real|siri|alexa|chatgpt)(?: person)?"
    rf"|[你您](?:到底)?是(?:谁|什么|哪位|什么人|什么东西|干什么的|做什么的){_END}"
    rf"|[你您](?:叫|的名字(?:是|叫))什么(?:名字)?{_END}|(?:自我介绍|介绍)一下[你您]?自己?|自我介绍"
    rf"|[你您]是(?:机器人|人|真人|人工智能|AI)吗{_END}",
    "praise": r"i (?:love|like) you(?: so much)?|(?:you're|you are|that's|that is"
    r"|that was)?(?: so| very"
    r"| really)? ?(?:great|awesome|amazing|cool|nice|the best|brilliant|wonderful|perfect|helpful"
    r"|clever|smart)|(?:good|great|nice|well) (?:job|work|one|done|bot)|well done"
    rf"|(?:我)?(?:爱|喜欢)[你您]{_END}|[你您]?(?:真|好|太|很)(?:棒|厉害|聪明|不错|可爱|牛){_END}"
    rf"|(?:干|做)得(?:好|漂亮|不错){_END}|不错{_END}",
    "blame": r"you(?:'re| are)?(?: so| really| such an?| very)? ?(?:stupid|dumb|useless|terrible"
    r"|an? idiot"
    r"|idiot|annoying|suck|the worst|bad|slow|wrong)|i hate you|fuck (?:you|off)|damn you|screw you"
    r"|that(?:'s| is| was) (?:wrong|not what i (?:said|meant|asked(?: for)?|want(?:ed)?))"
    r"|(?:that's )?not what i (?:said|meant|asked for|wanted)"
    rf"|[你您](?:真|好|太|很|是个?)(?:笨|蠢|傻|烦|差劲|没用|笨蛋|傻瓜|白痴|废物){_END}|笨蛋"
    rf"|讨厌{_END}"
    rf"|(?:我)?(?:讨厌|恨)[你您]{_END}|我(?:说|要|想要|问)的不是这个|不是这个意思|[你您](?:听"
    rf"|理解|弄|搞)错了",
    "yes": r"(?:yes|yeah|yep|yup|ok|okay|sure|alright|all right|right|correct|confirm|fine|exactly"
    r"|i agree|sounds good|got it|i see|understood|cool|great)"
    r"(?: (?:please|thanks|thank you|then))?"
    rf"|(?:是的?|对的?|好的?|行|可以|嗯+|确认|确定|没错|同意|知道了|明白了?|懂了"
    rf"|收到){_END}",
    "no": r"(?:no|nope|nah|not really|not now|no need)(?: (?:thanks|thank you|please|not now))?"
    rf"|(?:不|不是|不要|不用|不必|不行|没有|别|不需要|先不用){_END}",
}

_KINDS = {kind: re.compile(said, re.IGNORECASE) for kind, said in _SAID.items()}


def courtesy(text: str) -> Courtesy | None:
    """Return which courtesy a text is, if it is nothing else."""
    said = clean(unaddressed(text)).casefold()
    for kind, pattern in _KINDS.items():
        if pattern.fullmatch(said):
            return kind
    return None
