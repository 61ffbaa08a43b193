"""Color: conversion between sRGB, CIE Lab and YUV, and the scaling of Lab for networks."""
