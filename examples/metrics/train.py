"""Walks down the parabola (x - 3)² by gradient descent."""

import amp

x = 10.0
for epoch in range(amp.params.epochs):
    loss = (x - 3) ** 2
    amp.metric(loss=loss, x=x, step=epoch)
    amp.progress((epoch + 1) / amp.params.epochs)
    x -= amp.item * 2 * (x - 3)
amp.note(f"ended at x = {x:.4f}")
amp.link("the idea", "https://en.wikipedia.org/wiki/Gradient_descent")
amp.put("loss", (x - 3) ** 2)
