"""Attribution maps: which pixels or units raise a class's logit. One file per method."""
