const ADDRESS_CHARACTERS_MAX = 512;
const VENDOR_ADDRESS_CHARACTERS_MAX = 2_048;

/** As `vendorAddress`, without a query, which has no use in the address of a key. */
export function keyAddress(text: string, hosts: readonly string[]): URL | undefined {
  if (text.length > ADDRESS_CHARACTERS_MAX || text.includes('?')) return undefined;
  return vendorAddress(text, hosts);
}

/**
 * The address that a request names, where it may be asked: https, a host of `hosts`, and nothing
 * that different readers of addresses see differently. So it must be written as the WHATWG URL
 * standard would write it: no sign-in, no port, no capitals in the host, no dot at its end, no
 * backslashes, no steps up. A fragment has no use here.
 */
export function vendorAddress(text: string, hosts: readonly string[]): URL | undefined {
  if (text.length > VENDOR_ADDRESS_CHARACTERS_MAX || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPlain =
    url.href === text &&
    url.protocol === 'https:' &&
    `${url.username}${url.password}${url.port}` === '' &&
    !text.includes('#');
  return isPlain && hosts.some((host) => fits(url.hostname, host)) ? url : undefined;
}

/** Label by label; `*` is any one label, never none and never two. */
function fits(hostname: string, pattern: string): boolean {
  const labels = hostname.split('.');
  const wanted = pattern.split('.');
  return (
    labels.length === wanted.length &&
    wanted.every((want, index) => {
      const label = labels[index] ?? '';
      return want === '*' ? /^[a-z0-9-]+$/.test(label) : want === label;
    })
  );
}
