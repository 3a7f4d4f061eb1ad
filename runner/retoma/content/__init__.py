"""Content: the only place that knows the meaning of its Liquid texts. The database knows its kinds.

check says which variables every recipient must have, or why a content is refused. compile_content makes a
function from a recipient to the rendered content. Plain texts are rendered in the runner, all others in a
process with a budget.
"""
