// A form as what is signed of it, before anybody has proved who it is from: in one pass, and of a
// bounded number of fields.

/** Of a form that is looked into; one of a vendor has some dozens. */
export const FORM_FIELDS_MAX = 5_000;

const AMPERSAND = 0x26;

/** `undefined` where there are more than anybody sends. */
export function formFieldsOf(body: Buffer): URLSearchParams | undefined {
  let count = 1;
  for (let at = body.indexOf(AMPERSAND); at !== -1; at = body.indexOf(AMPERSAND, at + 1)) {
    count += 1;
    if (count > FORM_FIELDS_MAX) return undefined;
  }
  return new URLSearchParams(body.toString());
}

/** Names in their order, each with its values as they came. */
export function sortedFields(form: URLSearchParams): readonly (readonly [string, string[]])[] {
  const fields = new Map<string, string[]>();
  for (const [name, value] of form) {
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else values.push(value);
  }
  return [...fields].sort(([one], [other]) => (one < other ? -1 : 1));
}
