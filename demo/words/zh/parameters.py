"""Chinese: the words of demo/captions/parameters.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "{name} is {expected}, not {value}.": "{name} 的值为 {value}，应为：{expected}。",
    "a whole number from {low} to {high}": "{low} 到 {high} 之间的整数",
    "a number from {low} to {high}": "{low} 到 {high} 之间的数",
    "true or false": "真或假",
    "text of at most {most} characters": "不超过 {most} 个字符的文本",
    "text of at most {most} characters, or a whole number": "不超过 {most} 个字符的文本，或整数",
    "one of {names}": "{names} 之一",
    "empty or one of {names}": "空值或 {names} 之一",
    "a list of at most {most} texts of at most {length} characters":
        "最多 {most} 项的列表，每项文本不超过 {length} 个字符",
    "a list of at most {most} values": "最多 {most} 个值的列表",
    "at most {most} letters, digits, - and _": "不超过 {most} 个字母、数字、- 和 _",
    "an uploaded image file": "已上传的图像文件",
    "an object with the fields {names}": "含有字段 {names} 的对象",
    "This event takes {wanted} values, but {count} came with the request.":
        "此事件需要 {wanted} 个值，但请求中有 {count} 个。",
    "Something unexpected went wrong here; the server's log has the details. Try again, or load the page again.":
        "发生了意外错误，详情见服务器日志。请重试，或重新加载页面。",
}  # fmt: skip
