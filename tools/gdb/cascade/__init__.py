"""Cascade's interrupt objects in gdb.  tools/gdb/start.py loads everything; read model.py first."""
