"""The inbox and the ssh engine with real processes, a real sshd, and cut links."""
