/**
 * What the rooms of the house need of a logger; pino fits it. The first argument carries ids,
 * sizes, hashes and codes, never bodies or secrets.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
