// What a failed connection is called, for people: from the codes of Node's sockets, resolver and
// TLS. Messages of errors are not used: they may carry addresses, names and bodies.

const texts: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ENOTFOUND: 'its name is unknown',
  EAI_AGAIN: 'its name could not be looked up',
  ETIMEDOUT: 'connecting took too long',
  EHOSTUNREACH: 'there is no way to its address',
  ENETUNREACH: 'there is no way to its network',
  ADDRESS_FORBIDDEN: 'its address is link-local or a metadata service',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes from an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from an authority that is not trusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** The innermost code that an error or its cause carries, such as `ECONNREFUSED`. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, originalCode } = error as { code?: unknown; originalCode?: unknown };
  const inner = systemErrorCode(error.cause) ?? originalCode ?? code;
  return typeof inner === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(inner) ? inner : undefined;
}

/** A part of a sentence: `the connection was refused (ECONNREFUSED)`. */
export function networkFailureText(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) return 'the connection failed';
  const other = /^(EPROTO$|ERR_SSL|ERR_TLS)/.test(code) ? 'TLS failed' : 'the connection failed';
  return `${texts[code] ?? other} (${code})`;
}
