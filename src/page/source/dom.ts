// Small helps with the document.

/** The element with an id, of the kind that the page has it as. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

/** Write a text where it is another one: what stays is not laid out again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Make an element with children of these tags and classes. */
export function withChildren(tag: string, children: readonly (readonly [tag: string, className: string])[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [childTag, className] of children) {
    const child = document.createElement(childTag);
    child.className = className;
    element.append(child);
  }
  return element;
}

/** Give a list's children the content of the items, reusing them. */
export function fillChildren<T>(
  parent: HTMLElement, items: readonly T[], make: () => HTMLElement, fill: (child: HTMLElement, item: T) => void,
): void {
  while (parent.children.length > items.length) parent.lastElementChild?.remove();
  while (parent.children.length < items.length) parent.append(make());
  items.forEach((item, i) => fill(parent.children[i] as HTMLElement, item));
}

/** The children of an element that was made by `withChildren`. */
export function parts(element: Element): HTMLElement[] {
  return [...element.children] as HTMLElement[];
}
