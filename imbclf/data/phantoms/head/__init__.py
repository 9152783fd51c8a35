"""Drawing one head: anatomy, tumour and findings, what a scanner makes of them."""
