"""Running trials: the control logic over the ledger, and the runners (Ray Tune, in-process) that it drives."""
