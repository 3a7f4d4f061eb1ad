"""What is said: the kinds of content, and the one place that knows what their Liquid texts mean.

check says what a content needs from every recipient, or why it is refused. compile_content makes it a
function from a recipient to what is sent. Plain texts are rendered in the runner, all others in a process
with a budget.
"""
