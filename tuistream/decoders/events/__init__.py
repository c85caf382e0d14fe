"""What Socket.IO events hold."""
