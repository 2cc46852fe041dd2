"""The engine on another host: a store there, spoken to over the streams of ``baton store-serve``.

How the conversation goes, and what a lost answer means: ``docs/design/inbox.md``, section 7.
"""
