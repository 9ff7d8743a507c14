"""Korean: the words of demo/captions/parameters.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "{name} is {expected}, not {value}.": "{name} 값이 {value}입니다. 허용되는 값: {expected}.",
    "a whole number from {low} to {high}": "{low}부터 {high}까지의 정수",
    "a number from {low} to {high}": "{low}부터 {high}까지의 수",
    "true or false": "참 또는 거짓",
    "text of at most {most} characters": "{most}자 이하의 텍스트",
    "text of at most {most} characters, or a whole number": "{most}자 이하의 텍스트 또는 정수",
    "one of {names}": "{names} 중 하나",
    "empty or one of {names}": "빈 값 또는 {names} 중 하나",
    "a list of at most {most} texts of at most {length} characters":
        "{length}자 이하의 텍스트를 최대 {most}개 담은 목록",
    "a list of at most {most} values": "값을 최대 {most}개 담은 목록",
    "at most {most} letters, digits, - and _": "{most}자 이하의 영문자, 숫자, -, _",
    "an uploaded image file": "업로드한 이미지 파일",
    "an object with the fields {names}": "{names} 필드가 있는 객체",
    "This event takes {wanted} values, but {count} came with the request.":
        "이 이벤트는 값 {wanted}개를 받지만 요청에는 {count}개가 있습니다.",
    "Something unexpected went wrong here; the server's log has the details. Try again, or load the page again.":
        "예기치 않은 오류가 발생했습니다. 서버 로그를 확인하십시오. 다시 시도하거나 페이지를 새로 고치십시오.",
}  # fmt: skip
