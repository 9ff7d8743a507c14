"""timm backbones for all methods that need no part of TransXNet."""
