"""Every rule that a mini-app is checked against: number, level, sentence and cure in two languages.

The key is what the code says, the rule number is what people quote. A `{gap}` is filled with a fact of the
finding. Sentences follow the wording rules of the platform: what is wrong, then what to do, no blame.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    rule_id: str
    level: str
    zh: str
    cure_zh: str
    en: str
    cure_en: str


P, W, I = "PROBLEM", "WARNING", "INFORMATION"  # noqa: E741 - the table below is read by column

_PACKAGE = {
    "package_summary": Rule(
        "PKG-00", I, "包 {size}，{files} 个文件，{pages} 页", "", "{size}, {files} files, {pages} pages", ""
    ),
    "package_too_large": Rule(
        "PKG-01",
        P,
        "包有 {size}，超过 {limit}",
        "把图片压小，删掉用不到的文件",
        "the package is {size}, over {limit}",
        "shrink the pictures and drop unused files",
    ),
    "unpacked_too_large": Rule(
        "PKG-02",
        P,
        "解开以后有 {size}，超过 {limit}",
        "把图片压小，删掉用不到的文件",
        "it unpacks to {size}, over {limit}",
        "shrink the pictures and drop unused files",
    ),
    "too_many_files": Rule(
        "PKG-03",
        P,
        "有 {count} 个文件，超过 {limit} 个",
        "把数据合到少几个 JSON 里",
        "{count} files, over {limit}",
        "merge the data into fewer JSON files",
    ),
    "ratio_too_high": Rule(
        "PKG-04",
        P,
        "压缩比 {ratio}:1，超过 {limit}:1，像压缩炸弹",
        "用 linli app pack 重新打包，去掉大片重复的内容",
        "compressed {ratio}:1, over {limit}:1, which looks like a bomb",
        "pack it again with `linli app pack`, without long repeated content",
    ),
    "unsafe_name": Rule(
        "PKG-05",
        P,
        "文件名“{name}”不能用",
        "只用字母、数字、点、下划线、减号，放在包自己的文件夹里",
        "the file name “{name}” is not allowed",
        "use letters, digits, dot, underscore and hyphen, inside the package's own folders",
    ),
    "link_in_package": Rule(
        "PKG-06", P, "这是一个链接，不是文件", "换成文件本身", "this is a link, not a file", "put the file itself here"
    ),
    "duplicate_name": Rule(
        "PKG-07",
        P,
        "和“{other}”重名（不分大小写）",
        "改一个名字",
        "the same name as “{other}” (letter case aside)",
        "rename one of them",
    ),
    "nested_archive": Rule(
        "PKG-08",
        P,
        "包里又有压缩包",
        "把里面的文件直接放进来",
        "an archive inside the package",
        "put its files here directly",
    ),
    "file_type": Rule(
        "PKG-09",
        P,
        "这种文件用不到：{name}",
        "只放 json、png、jpg 和 README.md",
        "this kind of file has no use here: {name}",
        "keep to json, png, jpg and README.md",
    ),
    "not_a_zip": Rule(
        "PKG-10",
        P,
        "这不是一个完整的 ZIP 包",
        "用 linli app pack 重新打包，再传一次",
        "this is not a whole ZIP package",
        "pack it again with `linli app pack` and send it again",
    ),
    "odd_zip": Rule(
        "PKG-11",
        P,
        "ZIP 里有不支持的写法：{what}",
        "用 linli app pack 重新打包",
        "the ZIP uses something unsupported: {what}",
        "pack it again with `linli app pack`",
    ),
    "unused_file": Rule(
        "PKG-12", W, "没有一页用到它", "删掉，或者在页面里用上", "no page uses it", "remove it or use it on a page"
    ),
}

_JSON = {
    "json_oversized": Rule(
        "JSON-01",
        P,
        "{size} KB 的 JSON 超过上限 {limit} KB",
        "拆成几个文件，或者删掉用不到的内容",
        "{size} KB of JSON, over {limit} KB",
        "split it or drop what is not needed",
    ),
    "json_not_utf8": Rule(
        "JSON-02",
        P,
        "这里不是 UTF-8 文字",
        "在编辑器里另存为 UTF-8",
        "this is not UTF-8 text",
        "save the file as UTF-8",
    ),
    "json_trailing": Rule(
        "JSON-03", P, "文件到这里应该结束", "删掉后面多出来的内容", "the file should end here", "remove what follows"
    ),
    "json_name": Rule(
        "JSON-03",
        P,
        "这里应该是带双引号的名字",
        '名字写成 "name"',
        "a name in double quotes is missing here",
        'write the name as "name"',
    ),
    "json_comma": Rule(
        "JSON-03", P, "最后一项后面多了逗号", "删掉这个逗号", "a comma after the last item", "remove this comma"
    ),
    "json_mark": Rule(
        "JSON-03", P, "这里应该是“{mark}”", "在这里写一个 {mark}", "“{mark}” is missing here", "write {mark} here"
    ),
    "json_quote": Rule(
        "JSON-03",
        P,
        "这段文字没有结束的双引号",
        "在末尾补双引号，换行写成 \\n",
        "this text has no closing quote",
        "close the quote; write a line break as \\n",
    ),
    "json_half_character": Rule(
        "JSON-03",
        P,
        "文字里有半个字符",
        "把 \\ud83d 这样的写法换成字符本身",
        "half a character in the text",
        "write the character itself instead of \\ud83d",
    ),
    "json_escape": Rule(
        "JSON-03",
        P,
        "反斜杠后面的字不认识",
        "反斜杠本身写成 \\\\",
        "unknown escape after the backslash",
        "write a backslash as \\\\",
    ),
    "json_single_quote": Rule(
        "JSON-03", P, "JSON 只认双引号", "把单引号换成双引号", "JSON knows only double quotes", "use double quotes"
    ),
    "json_comment": Rule("JSON-03", P, "JSON 里不能写注释", "删掉注释", "JSON has no comments", "remove the comment"),
    "json_unfinished": Rule(
        "JSON-03", P, "文件没写完就结束了", "补上缺的括号", "the file ends too early", "add the missing bracket"
    ),
    "json_unclear": Rule(
        "JSON-03",
        P,
        "这里看不懂",
        '文字要加双引号，例如 "书屋"',
        "this is not JSON",
        'put text in double quotes, like "library"',
    ),
    "json_duplicate": Rule(
        "JSON-04", P, "“{name}”写了两次", "只留一个", "“{name}” is written twice", "keep one of them"
    ),
    "json_deep": Rule(
        "JSON-05", P, "嵌套超过 {limit} 层", "把内容放平一些", "nested deeper than {limit}", "flatten the content"
    ),
    "json_number": Rule(
        "JSON-06",
        P,
        "这个数太大，会算错",
        "写成文字，或者换大一点的单位",
        "this number is too large to be exact",
        "write it as text or use a larger unit",
    ),
    "json_not_finite": Rule(
        "JSON-06", P, "不是一个数", "没有数就写 null", "not a number", "write null where there is no number"
    ),
}

_MANIFEST = {
    "manifest_missing": Rule(
        "MAN-01",
        P,
        "缺 manifest.json",
        "用 linli app new 建一个，或者把它放在最外层",
        "manifest.json is missing",
        "make one with `linli app new`, or put it at the top of the package",
    ),
    "manifest_field": Rule("MAN-02", P, "{field}：{what}", "{cure}", "{field}: {what_en}", "{cure_en}"),
    "page_missing": Rule(
        "MAN-03",
        P,
        "页面“{page}”没有文件",
        "新建 {page}.json，或者从 pages 里删掉",
        "page “{page}” has no file",
        "create {page}.json or remove it from pages",
    ),
    "icon_missing": Rule(
        "MAN-04", P, "图标“{name}”没有文件", "放一张 96×96 的 PNG", "icon “{name}” has no file", "add a PNG of 96×96"
    ),
    "icon_size": Rule(
        "MAN-05",
        P,
        "图标是 {width}×{height}，应该是方的，边长 96 到 192",
        "改成 96×96 的 PNG",
        "the icon is {width}×{height}; it must be square, 96 to 192",
        "make it a PNG of 96×96",
    ),
    "platform_too_new": Rule(
        "MAN-06",
        P,
        "要平台 {code}，这里是 {ours}",
        "把 platform_version.min_code 改成 {ours} 或更小",
        "needs platform {code}, this one is {ours}",
        "set platform_version.min_code to {ours} or less",
    ),
    "version_not_rising": Rule(
        "MAN-07",
        P,
        "版本号 {code} 没有比 {last} 大",
        "把 version.code 改成 {next} 或更大",
        "version code {code} does not rise above {last}",
        "set version.code to {next} or more",
    ),
    "no_device": Rule(
        "MAN-08", P, "device_type 里没有 tv", '写成 ["tv"]', "device_type does not name tv", 'write ["tv"]'
    ),
    "permission_unknown": Rule(
        "PERM-02", P, "没有“{name}”这种权限", "可以写：{known}", "there is no permission “{name}”", "known: {known}"
    ),
    "permission_unused": Rule(
        "PERM-03",
        P,
        "不带脚本的应用用不到“{name}”",
        "从 req_permissions 里删掉",
        "an app without script has no use for “{name}”",
        "remove it from req_permissions",
    ),
    "permission_not_asked": Rule(
        "PERM-04",
        P,
        "用了 {{{path}}}，没有申请“{name}”",
        "在 req_permissions 里加上，并写明为什么",
        "uses {{{path}}} without asking for “{name}”",
        "add it to req_permissions and say why",
    ),
    "permission_summary": Rule("PERM-01", I, "会用到：{names}", "", "uses: {names}", ""),
    "permission_none": Rule("PERM-00", I, "不用任何权限", "", "asks for no permission", ""),
}

_PAGES = {
    "page_field": Rule("PAGE-01", P, "{field}：{what}", "{cure}", "{field}: {what_en}", "{cure_en}"),
    "path_missing": Rule("PAGE-02", P, "数据里没有 {{{path}}}", "{hint}", "the data has no {{{path}}}", "{hint_en}"),
    "path_kind": Rule(
        "PAGE-03",
        P,
        "{{{path}}} 是{kind}，这里要{wanted}",
        "换一个路径，或者改数据",
        "{{{path}}} is {kind_en}, but {wanted_en} is needed here",
        "use another path or change the data",
    ),
    "brace_open": Rule(
        "PAGE-04",
        P,
        "花括号没有配对",
        "写成 {{路径}}，要显示花括号就写两个",
        "an unmatched brace",
        "write {{path}}; double a brace to show it",
    ),
    "link_unknown": Rule(
        "PAGE-05", P, "没有“{page}”这一页", "现有：{known}", "there is no page “{page}”", "pages: {known}"
    ),
    "link_needs_row": Rule(
        "PAGE-06",
        P,
        "“{page}”要从列表里的一行打开",
        "从列表 {of} 连过去",
        "“{page}” opens from a row of a list",
        "link to it from the list {of}",
    ),
    "link_other_list": Rule(
        "PAGE-07",
        P,
        "“{page}”画的是 {of} 的一行，这个列表是 {here}",
        "两处写同一个列表",
        "“{page}” draws a row of {of}, this list is {here}",
        "name the same list in both places",
    ),
    "page_unreachable": Rule(
        "PAGE-08",
        P,
        "从首页走不到这一页",
        "在别的页上加一个连过来的按钮，或者删掉这一页",
        "no road leads to this page from the first one",
        "link to it from another page or remove it",
    ),
    "list_empty": Rule(
        "PAGE-09",
        W,
        "列表 {of} 是空的",
        "写 empty，说明为什么没有",
        "the list {of} is empty",
        "write `empty` to say why",
    ),
    "list_too_long": Rule(
        "PAGE-10",
        P,
        "列表 {of} 有 {count} 行，超过 {limit} 行",
        "分成几个列表，老人翻不了这么多页",
        "the list {of} has {count} rows, over {limit}",
        "split it; nobody pages through that much",
    ),
    "first_page_row": Rule(
        "PAGE-11",
        P,
        "首页不能写 each",
        "把这一页排到 pages 的后面",
        "the first page cannot have `each`",
        "move it further down in pages",
    ),
    "text_too_long": Rule(
        "TEXT-01",
        P,
        "“{text}”放不下，最多 {limit} 个字",
        "写短一点",
        "“{text}” does not fit, {limit} characters at most",
        "make it shorter",
    ),
    "word": Rule(
        "WORD-01", W, "电视上不写“{word}”", "改成“{better}”", "television pages do not say “{word}”", "write “{better}”"
    ),
    "exclamation": Rule("WORD-02", W, "不用叹号", "换成句号", "no exclamation marks", "use a full stop"),
    "sensitive": Rule(
        "WORD-03",
        W,
        "“{word}”要人工看一看",
        "审核员会看这一句",
        "“{word}” needs a person's eye",
        "the reviewer will look at this sentence",
    ),
    "remote_address": Rule(
        "SEC-01",
        W,
        "文字里有网址，电视上打不开",
        "换成电话、地址，或者二维码",
        "an internet address in the text; a television cannot open it",
        "give a telephone number or a place instead",
    ),
    "secret": Rule(
        "SEC-02",
        P,
        "像是密码或者密钥：{what}",
        "删掉，并且马上换掉这个密钥",
        "this looks like a password or key: {what}",
        "remove it, and change that key at once",
    ),
}

_PICTURES = {
    "picture_missing": Rule(
        "IMG-01",
        P,
        "没有这张图：{name}",
        "把图放进包里，或者改名字",
        "no such picture: {name}",
        "add the picture or correct the name",
    ),
    "picture_broken": Rule(
        "IMG-02",
        P,
        "打不开这张图",
        "重新存成 PNG 或 JPEG",
        "this picture cannot be read",
        "save it again as PNG or JPEG",
    ),
    "picture_heavy": Rule(
        "IMG-03",
        P,
        "图片 {size} KB，超过 {limit} KB",
        "压到 {good} KB 以下",
        "{size} KB, over {limit} KB",
        "bring it below {good} KB",
    ),
    "picture_near_limit": Rule(
        "IMG-04",
        W,
        "图片 {size} KB，快到上限 {limit} KB",
        "压到 {good} KB 以下",
        "{size} KB, close to the limit of {limit} KB",
        "bring it below {good} KB",
    ),
    "picture_large": Rule(
        "IMG-05",
        P,
        "图片 {width}×{height}，超过 1280×720",
        "缩小到要用的大小",
        "{width}×{height}, over 1280×720",
        "scale it to the size that is shown",
    ),
}

_DRAWN = {
    "drawn_summary": Rule(
        "PERF-01",
        I,
        "最重的一页 {bytes} KB，{nodes} 个节点，{focus} 个可选",
        "",
        "the heaviest page has {bytes} KB, {nodes} nodes, {focus} focusable",
        "",
    ),
    "drawn_problem": Rule("FOCUS-01", P, "{what}", "减少这一页的内容", "{what}", "put less on this page"),
}

_SIGNATURES = {
    "envelope_broken": Rule(
        "SIGN-01",
        P,
        "签名文件看不懂",
        "用 linli app sign 重新签名",
        "the signature file cannot be read",
        "sign again with `linli app sign`",
    ),
    "key_unknown": Rule(
        "SIGN-02",
        P,
        "没登记过这个密钥：{key}",
        "在开发者页面“密钥”里登记公钥",
        "this key is not registered: {key}",
        "register the public key on the developer page, under Keys",
    ),
    "key_revoked": Rule(
        "SIGN-03", P, "这个密钥已经停用：{key}", "用新密钥签名", "this key is revoked: {key}", "sign with a new key"
    ),
    "signature_wrong": Rule(
        "SIGN-04",
        P,
        "签名对不上",
        "用 linli app sign 重新签名",
        "the signature does not match",
        "sign again with `linli app sign`",
    ),
    "digest_differs": Rule(
        "SIGN-05",
        P,
        "包和签名的不是同一个",
        "打包以后再签名，两个文件一起传",
        "the package is not the one that was signed",
        "sign after packing and send both files",
    ),
    "app_of_other": Rule(
        "SIGN-06",
        P,
        "“{app_id}”是别人的应用",
        "换一个 app_id",
        "“{app_id}” belongs to somebody else",
        "choose another app_id",
    ),
}

RULES: Final[Mapping[str, Rule]] = {**_PACKAGE, **_JSON, **_MANIFEST, **_PAGES, **_PICTURES, **_DRAWN, **_SIGNATURES}
