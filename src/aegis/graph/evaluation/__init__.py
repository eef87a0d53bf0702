"""From bags, files of truth and simulations to `core/evaluation`, and from there to text, JSON and a page."""
