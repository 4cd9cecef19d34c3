"""The peers, each in an environment of its own. The *_party modules run there, with little else."""
