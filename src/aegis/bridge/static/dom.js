// @ts-check
// Small helps with the document.

/**
 * The element with an id, of the kind that the page has it as.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  return /** @type {T} */ (document.getElementById(id));
}

/**
 * Write a text where it is another one: what stays is not laid out again.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Make an element with children of these tags and classes.
 * @param {string} tag
 * @param {[tag: string, className: string][]} children
 */
export function withChildren(tag, children) {
  const element = document.createElement(tag);
  for (const [childTag, className] of children) {
    const child = document.createElement(childTag);
    child.className = className;
    element.append(child);
  }
  return element;
}

/**
 * Give a list's children the content of the items, reusing them.
 * @template T
 * @param {HTMLElement} parent
 * @param {T[]} items
 * @param {() => HTMLElement} make  builds a child
 * @param {(child: any, item: T) => void} fill  writes an item into one
 */
export function fillChildren(parent, items, make, fill) {
  while (parent.children.length > items.length) parent.lastElementChild?.remove();
  while (parent.children.length < items.length) parent.append(make());
  items.forEach((item, i) => fill(parent.children[i], item));
}
