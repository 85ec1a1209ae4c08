// Sends what Amap's server asks of its gateway, whose address it has built in, to GATEWAY instead.
import http from 'node:http';
import https from 'node:https';

const to = new URL(process.env.GATEWAY);
https.request = (url, options, answered) => {
  const asked = new URL(url);
  const { agent, ...rest } = options ?? {};
  return http.request(new URL(asked.pathname + asked.search, to), rest, answered);
};
