"""Text of the page and its translations: English in strings/, other languages in locales/, look-up in translate.py."""
