"""What Application Signals' clients read (docs/clients.md): services, operations, dependencies. Shapes of AWS's model."""
