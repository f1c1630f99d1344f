"""What the transfer agent keeps, over the API: wallets and transfers."""
