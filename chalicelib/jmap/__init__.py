"""The mailbox API: JMAP core and mail (RFC 8620, RFC 8621), free of HTTP."""
