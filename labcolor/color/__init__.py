"""CIE Lab: conversion from and to sRGB, and the codec of what a network sees."""
