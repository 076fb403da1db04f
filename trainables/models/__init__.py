"""The networks: video trunk, text encoder, captioning decoder. Plain modules that know no task and no loss."""
