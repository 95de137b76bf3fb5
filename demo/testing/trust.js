// Reports whether Node.js trusts the server at PORT of 127.0.0.1 as HOST, with the roots in the file ROOTS.
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';

const [port, host, roots] = process.argv.slice(2);
const socket = connect({
  port,
  host: '127.0.0.1',
  // SNI cannot contain an IP address, so the name check takes it from here.
  ...(/^[\d.]+$/.test(host) ? {} : { servername: host }),
  ca: readFileSync(roots),
});
const tell = (trusted, reason) => {
  console.log(JSON.stringify({ trusted, reason }));
  socket.destroy();
};
socket.on('secureConnect', () => tell(true));
socket.on('error', (error) => tell(false, error.code));
