"""Mails and mailboxes: `mime` takes a message apart, `text` its plain text, `messages` is the way in."""
