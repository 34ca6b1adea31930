"""The rehearsal: from a corpus to a table filled by a merged model, on models small enough for any machine."""
