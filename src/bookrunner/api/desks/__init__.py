"""What transfer agent and fund administrator decide, over the API: wallets, transfers, register, receipts."""
