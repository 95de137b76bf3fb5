"""A mail server (aiosmtpd) for the tests. Its options are one JSON object; it prints a line of JSON for each mail."""

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

options = json.loads(sys.argv[1])
USER, PASSWORD = options["user"], options["password"]


def tell(**event):
    print(json.dumps(event), flush=True)


class Handler:
    """Recipients by name: `refused@` and `later@` are not accepted, mails to `hang@` and `lost@` not answered."""

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("refused@"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later@"):
            return "451 4.7.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        tell(
            sender=envelope.mail_from,
            recipients=envelope.rcpt_tos,
            mail=envelope.content.decode("utf-8", "replace"),
            encrypted=session.ssl is not None or options["implicit"],
            login=session.auth_data.login.decode() if session.auth_data else None,
        )
        names = [address.split("@")[0] for address in envelope.rcpt_tos]
        if "hang" in names:
            await asyncio.sleep(3600)
        if "lost" in names:
            server.transport.abort()
        if "full" in names:
            return "452 4.2.2 the mailbox is full"
        if "spam" in names:
            return "554 5.7.1 this looks like spam"
        return "250 2.0.0 queued"

    async def auth_CRAM__MD5(self, server, args):
        challenge = b"<1896.697170952@vigie.test>"
        await server.push("334 " + base64.b64encode(challenge).decode())
        line = await server._reader.readline()
        given = base64.b64decode(line.strip()).decode()
        digest = hmac.new(PASSWORD.encode(), challenge, hashlib.md5).hexdigest()
        right = given == f"{USER} {digest}"
        login = LoginPassword(USER.encode(), b"")
        return AuthResult(success=right, handled=False, auth_data=login)


def authenticate(server, session, envelope, mechanism, data):
    right = data.login == USER.encode() and data.password == PASSWORD.encode()
    return AuthResult(success=right, handled=False, auth_data=data)


def context():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options["certificate"], options["key"])
    return context


async def main():
    tls = context() if options["certificate"] else None
    implicit = options["implicit"]
    # Mechanisms of the server that it shall not offer.
    excluded = [name for name in ("PLAIN", "LOGIN", "CRAM-MD5") if name not in options["mechanisms"]]

    def protocol():
        return SMTP(
            Handler(),
            hostname="mail.vigie.test",
            tls_context=None if implicit else tls,
            require_starttls=options["require_tls"] and not implicit,
            authenticator=authenticate,
            auth_required=bool(options["mechanisms"]),
            auth_require_tls=False,
            auth_exclude_mechanism=excluded,
            enable_SMTPUTF8=True,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls if implicit else None)
    tell(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
