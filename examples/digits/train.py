"""Learn to read digits, on as many processes as there are: a plain PyTorch script for torchrun."""

import argparse

import numpy as np
import torch
import torch.distributed as dist
from network import Network
from torch import nn
from torch.nn.parallel import DistributedDataParallel


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=32, help="rows of each process")
    arguments = parser.parse_args()

    dist.init_process_group("gloo")  # finds the others by the variables that torchrun sets
    rank, world = dist.get_rank(), dist.get_world_size()
    torch.manual_seed(0)

    rows = np.loadtxt(arguments.data, delimiter=",", skiprows=1, dtype=np.float32)
    pixels, digits = torch.from_numpy(rows[:, :-1]), torch.from_numpy(rows[:, -1]).long()
    model = DistributedDataParallel(Network())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3 * world)
    loss_of = nn.CrossEntropyLoss()
    step = arguments.batch * world

    for epoch in range(arguments.epochs):
        # The same order everywhere; each process takes its share of each batch. The last, smaller one is left out.
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(epoch))
        total = 0.0
        for start in range(0, len(rows) - step + 1, step):
            mine = order[start + rank : start + step : world]
            optimizer.zero_grad()
            loss = loss_of(model(pixels[mine]), digits[mine])
            loss.backward()  # the gradients of all processes are averaged here
            optimizer.step()
            total += loss.item()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: loss {total * step / len(rows):.4f}")

    if rank == 0:
        torch.save(model.module.state_dict(), arguments.model)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
