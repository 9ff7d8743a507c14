"""Another set of module objects around the same parameters and buffers."""

from __future__ import annotations

from torch import nn


def view_of(module: nn.Module) -> nn.Module:
    """A view of a module, in eval mode, with separate submodules and hooks; parameters and buffers are shared."""
    return _view(module, {})


def _view(module: nn.Module, views: dict[int, nn.Module]) -> nn.Module:
    if id(module) in views:
        return views[id(module)]
    view = views[id(module)] = module.__new__(type(module))
    # dictionaries, among them those of hooks and submodules, are the view's own; parameters in them are shared
    view.__dict__ = {key: value.copy() if isinstance(value, dict) else value for key, value in vars(module).items()}
    view._modules = {key: child and _view(child, views) for key, child in module._modules.items()}
    view.training = False
    return view
