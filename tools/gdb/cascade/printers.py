"""Pretty-printers of the irq objects."""


def register():
    pass
