"""CodeDeploy hooks that act on Raymap's verdict (docs/deployments.md)."""
