# Prints the mails of a mailbox whose subject holds a text, as JSON. Waits until there are enough.
import email, email.policy, imaplib, json, ssl, sys, time

host, user, password, authority, subject, count = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)


def read(imap):
    found = []
    imap.select("INBOX")
    for number in imap.search(None, "ALL")[1][0].split():
        raw = imap.fetch(number, "(RFC822)")[1][0][1]
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        if subject not in (mail["subject"] or ""):
            continue
        parts = list(mail.walk())
        found.append({
            "subject": mail["subject"],
            "from": mail["from"],
            "to": mail["to"],
            "bcc": mail["bcc"],
            "date": mail["date"],
            "message_id": mail["message-id"],
            "in_reply_to": mail["in-reply-to"],
            "references": mail["references"],
            "text": mail.get_body(("plain",)).get_content(),
            "html": mail.get_body(("html",)).get_content(),
            "defects": sum(len(part.defects) for part in parts)
            + sum(len(value.defects) for part in parts for value in part.values()),
        })
    return found


imap = imaplib.IMAP4_SSL(host, 5993, ssl_context=context)
imap.login(user, password)
deadline = time.monotonic() + 20
while True:
    found = read(imap)
    if len(found) >= int(count) or time.monotonic() > deadline:
        break
    time.sleep(0.1)
print(json.dumps(found))
