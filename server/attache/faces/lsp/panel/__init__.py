"""What panels and scripts ask: sessions, their past and their events."""
