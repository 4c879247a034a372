"""The command line `numerbay-chain`: words, tables, progress and exit codes over the roles, and nothing else."""
