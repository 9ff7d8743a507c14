"""Korean: the words of demo/captions/out_of_distribution.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "{title} has not learned from images like this one: it is further from its training images, in the model's "
    "own features, than {nearer} of {images} images held out from training. Read its answer and its maps with "
    "care.":
        "{title}: 이런 사진으로 배운 적이 없습니다. 모델 자신의 특징 공간에서, 학습에 쓰지 않은 사진 {images}장의 "
        "{nearer}보다도 학습 사진에서 멀리 있습니다. 답과 맵을 조심해서 읽으십시오.",
    "{title} is unsure: {more} of {images} images held out from training got a surer answer.":
        "{title}: 확신이 낮습니다. 학습에 쓰지 않은 사진 {images}장의 {more}가 이보다 확실한 답을 받았습니다.",
}  # fmt: skip
