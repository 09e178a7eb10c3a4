"""Files that machines obey: containers, clusters, pipelines."""
