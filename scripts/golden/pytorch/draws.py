"""Seeded numbers. Every case has a separate source of randomness, so adding a case does not change the others."""

import random

import torch


class Draws:
    def __init__(self, name):
        self._random = random.Random(name)

    def tensor(self, *shape, deviation=1.0, center=0.0):
        """Normal numbers, in double precision, rounded to multiples of 1/4096: exact in single precision."""
        count = torch.Size(shape).numel()
        numbers = [round(self._random.gauss(center, deviation) * 4096) / 4096 for _ in range(count)]
        return torch.tensor(numbers, dtype=torch.float64).reshape(shape)

    def ids(self, count, below):
        return [self._random.randrange(below) for _ in range(count)]

    def between(self, lowest, highest):
        return self._random.randint(lowest, highest)

    def choice(self, options):
        return self._random.choice(options)

    def chance(self, probability):
        return self._random.random() < probability
