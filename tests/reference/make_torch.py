#!/usr/bin/env python3
"""Makes torch_numbers.h: outputs and gradients of small networks, and steps of Adam, by PyTorch. Run by hand when a
network changes: /usr/bin/python3 make_torch.py > torch_numbers.h (Debian's python3-torch)."""
import torch

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)


def put(name, *tensors):
    flat = torch.cat([t.detach().reshape(-1) for t in tensors])
    print(f"static const double {name}[{len(flat)}] = {{" + ", ".join(f"{v:.9g}" for v in flat.tolist()) + "};")


def recurrent(name, cell, act):
    a, norm = torch.nn.Linear(5, 6), torch.nn.LayerNorm(6)
    m, b = cell(6, 4), torch.nn.Linear(4, 3)
    torch.nn.init.normal_(norm.weight), torch.nn.init.normal_(norm.bias)
    parts = [a.weight, a.bias, norm.weight, norm.bias, m.weight_ih_l0, m.weight_hh_l0, m.bias_ih_l0, m.bias_hh_l0, b.weight, b.bias]
    x, w = torch.randn(3, 2, 5), torch.randn(3, 2, 3)
    out = b(m(norm(act(a(x))))[0])
    (out * w).sum().backward()
    put(name + "_params", *parts)
    put(name + "_input", x)
    put(name + "_weight", w)
    put(name + "_output", out)
    put(name + "_gradient", *[p.grad for p in parts])


def convolution():
    a, b = torch.nn.Conv2d(2, 3, 3, padding=1), torch.nn.Conv2d(3, 2, 2, stride=2)
    x, w = torch.randn(2, 2, 4, 5), torch.randn(2, 2, 2, 2)
    out = torch.relu(b(torch.nn.functional.gelu(a(x))))
    (out * w).sum().backward()
    parts = [a.weight, a.bias, b.weight, b.bias]
    put("conv_params", *parts)
    put("conv_input", x)
    put("conv_weight", w.permute(0, 2, 3, 1).contiguous())  # agon's outputs are height, width, channel
    put("conv_output", out.permute(0, 2, 3, 1).contiguous())
    put("conv_gradient", *[p.grad for p in parts])


def adam():
    p = torch.nn.Parameter(torch.randn(6))
    put("adam_start", p)
    optimiser = torch.optim.Adam([p], lr=0.01, eps=1e-5)
    for step in range(3):
        p.grad = torch.randn(6) * 3
        put(f"adam_gradient_{step}", p.grad)
        torch.nn.utils.clip_grad_norm_([p], 0.5)
        optimiser.step()
    put("adam_end", p)


def heads():
    logits = torch.randn(4)
    legal = torch.tensor([True, False, True, True])
    d = torch.distributions.Categorical(logits=logits.masked_fill(~legal, -1e30))
    put("categorical_logits", logits)
    put("categorical_numbers", d.log_prob(torch.tensor(2)), -(d.probs[legal] * d.probs[legal].log()).sum())
    mean, log_std, other_mean, other_log_std, action = (torch.randn(2) for _ in range(5))
    n, o = torch.distributions.Normal(mean, log_std.exp()), torch.distributions.Normal(other_mean, other_log_std.exp())
    put("normal_row", mean, log_std)
    put("normal_other", other_mean, other_log_std)
    put("normal_action", action)
    put("normal_numbers", n.log_prob(action).sum(), n.entropy().sum(), torch.distributions.kl_divergence(n, o).sum())


print("/* Made by make_torch.py with PyTorch %s: do not edit. */" % torch.__version__.split("+")[0])
print("#pragma once")
print("/* clang-format off */")
recurrent("gru", torch.nn.GRU, torch.tanh)
recurrent("lstm", torch.nn.LSTM, torch.nn.functional.gelu)
convolution()
adam()
heads()
