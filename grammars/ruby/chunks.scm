; A task, a spec, a route: a call at the top level that is given a block.
(program (call block: (_)) @chunk)
