/** `250ms`, `30s`, `15m`, `72h`, `30d`. */
export const durationPattern = '^[0-9]{1,9}(ms|s|m|h|d)$';
/** `512b`, `64kb`, `1mb`. */
export const sizePattern = '^[0-9]{1,9}([kK]?[bB]|[mM][bB])$';
