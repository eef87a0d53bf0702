"""How the class models that ship were made, from our simulator alone: `aegis train`."""
