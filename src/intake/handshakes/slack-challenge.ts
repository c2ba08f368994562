import { echoable, type Handshake, jsonOf, textReply } from './handshake.ts';

/** https://docs.slack.dev/reference/events/url_verification */
export function createSlackChallenge(): Handshake {
  return {
    methods: [],
    after(reader) {
      if (!reader.request.body.includes('url_verification')) return undefined;
      if (jsonOf(reader, 'type') !== 'url_verification') return undefined;
      return textReply(echoable(jsonOf(reader, 'challenge') ?? ''));
    },
  };
}
