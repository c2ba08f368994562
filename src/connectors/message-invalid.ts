/**
 * The outgoing message cannot be sent as it is: a field is missing or has the wrong shape. Thrown
 * and caught inside a connector, which answers `rejected` with the code `message-invalid`.
 * `message` names the field or the template, never its value.
 */
export class MessageInvalid extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'MessageInvalid';
  }
}
