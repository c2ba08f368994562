/** A body that is not what it says it is, or beyond a limit. The message quotes nothing of it. */
export class Unreadable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Unreadable';
  }
}

/** What may stand inside one another, and beside one another, in what a body is read as. */
export interface ContentLimits {
  /** Lists and objects, or elements, inside one another. */
  readonly depthMax: number;
  /** Keys of one object, fields of one form. */
  readonly keysMax: number;
}

/** Text, or a list or an object of it, as forms and XML hold it. */
export type Plain = string | readonly Plain[] | PlainObject;

/** Without a prototype, so that no name of the sender's means anything but itself. */
export interface PlainObject {
  [name: string]: Plain;
}

export function plainObject(): PlainObject {
  return Object.create(null) as PlainObject;
}

/**
 * Puts a value beside those that came under its name before: one stands alone, several are a list.
 */
export class Fields {
  readonly object = plainObject();
  #lists: Map<string, Plain[]> | undefined;
  #count = 0;
  readonly #keysMax: number;

  constructor(keysMax: number) {
    this.#keysMax = keysMax;
  }

  get size(): number {
    return this.#count;
  }

  add(name: string, value: Plain): void {
    const list = this.#lists?.get(name);
    const present = this.object[name];
    if (list !== undefined) {
      list.push(value);
    } else if (present !== undefined) {
      const both = [present, value];
      this.#lists ??= new Map();
      this.#lists.set(name, both);
      this.object[name] = both;
    } else {
      this.#count += 1;
      if (this.#count > this.#keysMax) throw new Unreadable(tooManyKeys(this.#keysMax));
      this.object[name] = value;
    }
  }
}

export function tooManyKeys(keysMax: number): string {
  return `more than ${keysMax} names in one object`;
}
