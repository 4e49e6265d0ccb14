"""What a handler sees, and all that ships inside a function. Imports the standard library only.

Import budget: a cold start on AWS pays for every module here, so what a request may not need (cookies, forms, CORS,
mounted applications, asyncio) is imported where it is used.
"""
