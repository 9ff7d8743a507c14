"""The page. Imports transxnet; the library never imports it back."""
