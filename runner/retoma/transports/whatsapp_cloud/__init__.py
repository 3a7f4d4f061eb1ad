"""WhatsApp Cloud API, the official one: what is sent, what is answered, what is reported later."""
